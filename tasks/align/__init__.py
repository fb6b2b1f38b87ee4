"""Stage align: one upright face per photo, found by MTCNN, with the photos that show none."""
