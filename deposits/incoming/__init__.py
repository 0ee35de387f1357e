"""Money that comes in: from the button to the receipt."""
