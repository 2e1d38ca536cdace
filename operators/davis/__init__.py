"""How well a mask agrees with the true one, as DAVIS measures it: region J and contour F."""
