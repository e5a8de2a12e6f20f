"""Systems and how they are trained, as data: cards, recipes, where checkpoints lie."""
