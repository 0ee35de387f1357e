"""The one signal by which facts go up: sent by `door.move`, inside its transaction.

Receivers write rows only. One that raises undoes the whole step. Arguments: `application` (locked,
already in its new state) and `transition` (the row just written).
"""

from django.dispatch import Signal

moved = Signal()
