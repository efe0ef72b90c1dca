"""What CLIP does besides guiding a painting: naming what is in pictures, and finding them."""
