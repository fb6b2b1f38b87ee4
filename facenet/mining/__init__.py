"""Select the photos that a loss compares: triplets of a batch or data set, pairs, P x K batches.

Nothing is imported here, so that planning (`offline`) works without torch.
"""
