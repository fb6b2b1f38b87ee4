"""`python -m tasks.expectations docs`: the site of all expectations about the data on disk."""

from tasks.cli import stage_main
from tasks.data_docs import main

if __name__ == "__main__":
    stage_main(main)
