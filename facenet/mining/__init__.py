"""Which photos meet in a loss: triplets of a batch or a data set, pairs, batches of P people x K photos.

Nothing is imported here, so that planning (`offline`) does not wait for torch.
"""
