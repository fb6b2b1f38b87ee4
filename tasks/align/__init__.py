"""Stage align: one upright face per photo, detected by MTCNN, and the photos without one."""
