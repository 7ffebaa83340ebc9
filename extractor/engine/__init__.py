"""How a model's answer comes about: the seam, the constraint, the loop, and what runs the weights.

Nothing is imported here: `extractor.engine.close` must stay usable without torch.
"""
