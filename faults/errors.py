"""What a scenario raises."""


class FaultFound(AssertionError):
    """The state after a fault is not the one that was promised; the message says what is wrong."""


class NotPossible(Exception):
    """This machine lacks what a scenario needs, such as a program; the message names it."""
