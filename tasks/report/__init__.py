"""reports/report.html: the results of all stages on one self-contained page.

`register` writes it: the last stage, and the only one that knows the champion. The page is rendered from the
reports alone; templates/ holds its HTML and CSS.
"""
