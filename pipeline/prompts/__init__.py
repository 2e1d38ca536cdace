"""What somebody asks of pictures: a mask of what is pointed at, boxes of what is named."""
