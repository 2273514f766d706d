"""MyGAN for ganzoo: what this plugin contributes. It imports no torch, so that the zoo can be listed quickly."""

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl


@hookimpl
def ganzoo_families() -> list[Family]:
    """MyGAN; trained models lie beside this file, in weights/my_gan.TAG."""
    return [
        Family(
            name="my_gan",
            summary="what is new about it, in one line",
            paper=Paper("MyGAN", authors=("Your Name",), year=2026, arxiv=""),
            objective="ganzoo_my_gan.objective:MyGAN",
            networks="ganzoo_my_gan.networks:networks",
            presets={
                "paper": Preset({"image_size": 64, "channels": 3, "images": 5_000_000}, {"batch_size": 64}),
                "digits": Preset({"image_size": 16, "channels": 1, "images": 60_000}, {"ema_images": 2_000}),
                "tiny": Preset({"image_size": 16, "channels": 1, "width": 8, "images": 20_000}, {"batch_size": 16}),
            },
        )
    ]
