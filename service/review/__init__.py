"""The review page: suspects of the label audit as rows of faces, and what a reviewer decides about them.

It reads the audit, the manifest and the aligned faces, and writes labels/decisions.csv only.
"""
