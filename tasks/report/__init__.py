"""reports/report.html: all that the stages found out, on one page that needs nothing else.

`register` writes it: the last stage, and the only one that knows the champion. It is read out of the reports,
so the page says what they say; templates/ holds its HTML and CSS.
"""
