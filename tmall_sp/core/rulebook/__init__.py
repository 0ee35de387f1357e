"""The rules that the programme may change: what each means, and how two people of operations change it."""
