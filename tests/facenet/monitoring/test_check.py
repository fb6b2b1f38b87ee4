"""A check in words."""

from facenet.monitoring.check import Check


def test_a_check_in_one_line() -> None:
    check = Check(
        name="sharpness",
        statistic="ks",
        verdict="alarm",
        rows=500,
        reference_rows=2000,
        value=0.25,
        level=0.1,
        usual=40.0,
        found=50.0,
    )
    assert str(check) == "sharpness from 40 to 50 (KS 0.25, alarm above 0.1)"
    few = Check(name="score, verify", statistic="ks", verdict="too few", rows=7, reference_rows=900)
    assert str(few) == "score, verify (KS): too few, 7 rows and 900 to compare with"
    assert few.to_dict()["value"] is None
