"""Training: labelled corpus -> pairs -> adapter -> report."""
