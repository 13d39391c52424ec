from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = _("Segments")

    def ready(self) -> None:
        from segments import impact, keeper, remembered, screens, telling  # the app registry must be complete
        from segments.api import parts
        from segments.exports import handing_over, leaked
        from segments.exports import personal_data as exported
        from segments.lists import personal_data as listed
        from segments.membership import following, personal_data, receivers, refreshing
        from segments.traits import keeping
        from segments.traits import personal_data as computed
        from segments.traits import receivers as computing

        screens.register()
        parts.register()
        impact.register()
        receivers.connect()
        personal_data.register()
        computing.connect()
        computed.register()
        keeper.register("computed traits", keeping.follow, keeping.turn, keeping.refresh, order=100)
        keeper.register("membership", following.follow, following.turn, refreshing.refresh, order=200)
        exported.register()
        handing_over.register()
        telling.register()
        leaked.register()
        listed.register()
        remembered.register()
