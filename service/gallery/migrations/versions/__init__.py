"""One module per change to the tables, each after its `down_revision`."""
