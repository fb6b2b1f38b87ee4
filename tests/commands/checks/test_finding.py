"""A finding has its state and, unless all is well, a fix."""

from commands.checks.finding import NOTE, OK, WRONG, note, ok, wrong


def test_the_three_states() -> None:
    assert (ok("a", "b").state, note("a", "b").state, wrong("a", "b", "c").state) == (OK, NOTE, WRONG)
    assert (ok("a", "b").fix, wrong("a", "b", "c").fix) == ("", "c")
