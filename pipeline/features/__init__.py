"""What a backbone sees in recordings and pictures, computed once and kept."""
