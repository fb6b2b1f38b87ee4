"""Stage train: data/aligned + data/triplets -> models/ (weights and card), reports/history.*."""
