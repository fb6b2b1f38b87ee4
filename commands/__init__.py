"""The `facenet` command: one module per subcommand, with `add(parser)` and `run(arguments)`."""
