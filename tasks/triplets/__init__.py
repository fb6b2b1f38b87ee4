"""Stage triplets: data/aligned + pairs -> data/triplets (who trains, who validates, the plan of training)."""
