from django.core.management import call_command


def test_readmes_state_diagram_is_made_from_the_lifecycle() -> None:
    """Run `manage.py state_diagram` when this fails."""
    call_command("state_diagram", check=True)
