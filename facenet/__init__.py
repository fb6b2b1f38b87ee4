"""Face detection, embedding and verification: values in, values out, no files of the pipeline, no servers."""
