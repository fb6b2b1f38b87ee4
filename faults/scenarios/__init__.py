"""One module per fault, with `run(folder)`; the first line of its docstring is its row in the table."""
