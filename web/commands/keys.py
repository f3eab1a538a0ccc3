"""Keys that an installation makes for itself once and keeps."""

from dispatch import vapid
from web.commands.installation import Installation


def ensure(place: Installation) -> None:
    """Make the key pair of web push unless there is one, in the data folder or in the settings."""
    if place.settings.vapid_private_key:
        return
    place.data_dir.mkdir(parents=True, exist_ok=True)
    vapid.ensure(place.data_dir)
