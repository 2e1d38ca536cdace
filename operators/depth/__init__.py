"""How far away everything is: the operator, its heads, and how a camera is calibrated."""
