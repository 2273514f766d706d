"""SegAN for ganzoo: masks, which say what part of a picture is the thing."""
