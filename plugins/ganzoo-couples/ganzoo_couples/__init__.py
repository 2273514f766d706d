"""Pictures of several domains for ganzoo: CoGAN (2016), StarGAN, BicycleGAN, AttGAN and UNIT (2017), MUNIT (2018)."""
