"""Which class every cell is of: the operator, its heads, regions and label sets."""
