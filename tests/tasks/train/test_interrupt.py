import os
import signal
import threading

import pytest

from tasks.train.interrupt import StopRequest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_first_signal_asks_and_second_goes_to_the_former_handler(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    got: list[int] = []
    former = signal.signal(number, lambda n, _frame: got.append(n))
    try:
        with StopRequest() as stop:
            assert not stop()
            os.kill(os.getpid(), number)
            assert stop()
            assert stop.exit_code == code
            assert "checkpoint" in capsys.readouterr().err
            assert not got
            os.kill(os.getpid(), number)
            assert got == [number]
    finally:
        signal.signal(number, former)


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == before


def test_outside_the_main_thread_it_never_stops() -> None:
    answers: list[bool] = []

    def look() -> None:
        with StopRequest() as stop:
            answers.append(stop())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert answers == [False]
