"""Where weights come from: files and catalogue in -> a loaded backbone and heads out."""
