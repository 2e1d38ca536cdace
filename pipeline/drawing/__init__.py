"""What pictures of records share: a sheet to draw on, colours, legends. Knows no records."""
