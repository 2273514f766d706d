"""What networks are made of: generators, discriminators, the kinds of what they take and make, layers. Public.

It imports errors, seeds, text, imaging and files. What a generator takes is in `inputs`, what it makes in `outputs`;
how it is sampled exactly in `sampling`; the layers that papers share in `blocks`, `equalized` and `growing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.nn.blocks import Attended as Attended
    from ganzoo_core.nn.blocks import ConditionalBatchNorm as ConditionalBatchNorm
    from ganzoo_core.nn.blocks import DBlock as DBlock
    from ganzoo_core.nn.blocks import DBlockFirst as DBlockFirst
    from ganzoo_core.nn.blocks import DBlockSame as DBlockSame
    from ganzoo_core.nn.blocks import GBlock as GBlock
    from ganzoo_core.nn.blocks import Modulation as Modulation
    from ganzoo_core.nn.blocks import Projection as Projection
    from ganzoo_core.nn.blocks import Residual as Residual
    from ganzoo_core.nn.blocks import SelfAttention as SelfAttention
    from ganzoo_core.nn.blocks import apply_spectral_norm as apply_spectral_norm
    from ganzoo_core.nn.blocks import biases_last as biases_last
    from ganzoo_core.nn.blocks import initialise as initialise
    from ganzoo_core.nn.blocks import upsample as upsample
    from ganzoo_core.nn.device import computing_in as computing_in
    from ganzoo_core.nn.device import cpu_has_bf16 as cpu_has_bf16
    from ganzoo_core.nn.device import pick_device as pick_device
    from ganzoo_core.nn.equalized import SQRT2 as SQRT2
    from ganzoo_core.nn.equalized import EqualizedConv2d as EqualizedConv2d
    from ganzoo_core.nn.equalized import EqualizedLinear as EqualizedLinear
    from ganzoo_core.nn.equalized import minibatch_std as minibatch_std
    from ganzoo_core.nn.equalized import pixel_norm as pixel_norm
    from ganzoo_core.nn.generator import Discriminator as Discriminator
    from ganzoo_core.nn.generator import Generator as Generator
    from ganzoo_core.nn.growing import Growing as Growing
    from ganzoo_core.nn.inputs import Category as Category
    from ganzoo_core.nn.inputs import Code as Code
    from ganzoo_core.nn.inputs import Embedding as Embedding
    from ganzoo_core.nn.inputs import Image as Image
    from ganzoo_core.nn.inputs import Input as Input
    from ganzoo_core.nn.inputs import Label as Label
    from ganzoo_core.nn.inputs import Latent as Latent
    from ganzoo_core.nn.inputs import Mask as Mask
    from ganzoo_core.nn.inputs import Pictures as Pictures
    from ganzoo_core.nn.inputs import Text as Text
    from ganzoo_core.nn.inputs import Video as Video
    from ganzoo_core.nn.inputs import cycled as cycled
    from ganzoo_core.nn.inputs import from_batch as from_batch
    from ganzoo_core.nn.inputs import inputs_of as inputs_of
    from ganzoo_core.nn.inputs import needs_data as needs_data
    from ganzoo_core.nn.interpolation import lerp as lerp
    from ganzoo_core.nn.interpolation import slerp as slerp
    from ganzoo_core.nn.mirror import Mirror as Mirror
    from ganzoo_core.nn.options import Between as Between
    from ganzoo_core.nn.options import Option as Option
    from ganzoo_core.nn.options import options_of as options_of
    from ganzoo_core.nn.outputs import Clips as Clips
    from ganzoo_core.nn.outputs import Images as Images
    from ganzoo_core.nn.outputs import Output as Output
    from ganzoo_core.nn.outputs import Points as Points
    from ganzoo_core.nn.pretrained import PinnedFile as PinnedFile
    from ganzoo_core.nn.pretrained import Pretrained as Pretrained
    from ganzoo_core.nn.sampling import latents as latents
    from ganzoo_core.nn.sampling import sample_deterministic as sample_deterministic
    from ganzoo_core.nn.sizes import doublings as doublings
    from ganzoo_core.nn.spaces import Space as Space
    from ganzoo_core.nn.standing import with_standing_statistics as with_standing_statistics
    from ganzoo_core.nn.state import evaluation_mode as evaluation_mode
    from ganzoo_core.nn.state import preserve_rng as preserve_rng
    from ganzoo_core.nn.state import reseed as reseed
    from ganzoo_core.nn.streams import DrawFrom as DrawFrom
    from ganzoo_core.nn.streams import stream as stream
    from ganzoo_core.nn.tiles import in_tiles as in_tiles
    from ganzoo_core.nn.walk import interpolate_seeds as interpolate_seeds
    from ganzoo_core.text import encode_text as encode_text

_HOMES = {
    "Attended": "ganzoo_core.nn.blocks",
    "Between": "ganzoo_core.nn.options",
    "Category": "ganzoo_core.nn.inputs",
    "Clips": "ganzoo_core.nn.outputs",
    "Code": "ganzoo_core.nn.inputs",
    "ConditionalBatchNorm": "ganzoo_core.nn.blocks",
    "DBlock": "ganzoo_core.nn.blocks",
    "DBlockFirst": "ganzoo_core.nn.blocks",
    "DBlockSame": "ganzoo_core.nn.blocks",
    "Discriminator": "ganzoo_core.nn.generator",
    "Embedding": "ganzoo_core.nn.inputs",
    "DrawFrom": "ganzoo_core.nn.streams",
    "EqualizedConv2d": "ganzoo_core.nn.equalized",
    "EqualizedLinear": "ganzoo_core.nn.equalized",
    "GBlock": "ganzoo_core.nn.blocks",
    "Generator": "ganzoo_core.nn.generator",
    "Growing": "ganzoo_core.nn.growing",
    "Image": "ganzoo_core.nn.inputs",
    "Images": "ganzoo_core.nn.outputs",
    "Input": "ganzoo_core.nn.inputs",
    "Label": "ganzoo_core.nn.inputs",
    "Latent": "ganzoo_core.nn.inputs",
    "Mask": "ganzoo_core.nn.inputs",
    "Modulation": "ganzoo_core.nn.blocks",
    "Option": "ganzoo_core.nn.options",
    "Output": "ganzoo_core.nn.outputs",
    "Pictures": "ganzoo_core.nn.inputs",
    "PinnedFile": "ganzoo_core.nn.pretrained",
    "Points": "ganzoo_core.nn.outputs",
    "Pretrained": "ganzoo_core.nn.pretrained",
    "Projection": "ganzoo_core.nn.blocks",
    "Residual": "ganzoo_core.nn.blocks",
    "SQRT2": "ganzoo_core.nn.equalized",
    "SelfAttention": "ganzoo_core.nn.blocks",
    "Space": "ganzoo_core.nn.spaces",
    "Text": "ganzoo_core.nn.inputs",
    "Video": "ganzoo_core.nn.inputs",
    "apply_spectral_norm": "ganzoo_core.nn.blocks",
    "biases_last": "ganzoo_core.nn.blocks",
    "computing_in": "ganzoo_core.nn.device",
    "cpu_has_bf16": "ganzoo_core.nn.device",
    "cycled": "ganzoo_core.nn.inputs",
    "doublings": "ganzoo_core.nn.sizes",
    "encode_text": "ganzoo_core.text",
    "evaluation_mode": "ganzoo_core.nn.state",
    "from_batch": "ganzoo_core.nn.inputs",
    "initialise": "ganzoo_core.nn.blocks",
    "in_tiles": "ganzoo_core.nn.tiles",
    "inputs_of": "ganzoo_core.nn.inputs",
    "interpolate_seeds": "ganzoo_core.nn.walk",
    "latents": "ganzoo_core.nn.sampling",
    "lerp": "ganzoo_core.nn.interpolation",
    "Mirror": "ganzoo_core.nn.mirror",
    "minibatch_std": "ganzoo_core.nn.equalized",
    "needs_data": "ganzoo_core.nn.inputs",
    "options_of": "ganzoo_core.nn.options",
    "pixel_norm": "ganzoo_core.nn.equalized",
    "pick_device": "ganzoo_core.nn.device",
    "preserve_rng": "ganzoo_core.nn.state",
    "reseed": "ganzoo_core.nn.state",
    "sample_deterministic": "ganzoo_core.nn.sampling",
    "slerp": "ganzoo_core.nn.interpolation",
    "stream": "ganzoo_core.nn.streams",
    "upsample": "ganzoo_core.nn.blocks",
    "with_standing_statistics": "ganzoo_core.nn.standing",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)
