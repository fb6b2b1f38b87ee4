"""The exit codes of every command."""

OK = 0  # done, or the answer is yes: it is a match, the person is in the gallery, nothing is wrong
NO = 1  # the answer is no, or one of several photos could not be used; what was printed says which
ERROR = 2  # no answer: a wrong argument, a missing model, a full disk; one line on standard error says why
INTERRUPTED = 130  # Ctrl-C, as a shell reports it
