"""Sounds: their files, spectrograms, networks and games."""

import math
import wave

import numpy as np
import pytest
import torch
from ganzoo_audio import hifigan, listeners, melgan, sets, wavegan
from ganzoo_audio.files import read_sound, write_sound
from ganzoo_audio.kinds import Sounds, Spectrogram
from ganzoo_audio.spectra import MELS, Mel, filters, griffin_lim, hertz, magnitudes, mels
from ganzoo_audio.stretches import anywhere
from ganzoo_audio.views import WithMel
from torch.nn.functional import conv1d, conv_transpose1d, leaky_relu

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.models.export import export
from ganzoo_core.registry.recipes import build, build_networks, recipe

RATE = 8000


def sine(hz, seconds=1.024, rate=RATE):
    return 0.5 * torch.sin(2 * math.pi * hz * torch.arange(round(seconds * rate)) / rate)


# Files


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_files_of_all_widths_are_read(tmp_path, width):
    x, full = sine(440, 0.1).numpy(), 2.0 ** (8 * width - 1)
    whole = np.round(x * (full - 1)).astype(np.int64) + (128 if width == 1 else 0)
    data = b"".join(int(v).to_bytes(width, "little", signed=width > 1) for v in whole for _channel in range(2))
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2), file.setsampwidth(width), file.setframerate(RATE)
        file.writeframes(data)
    assert torch.allclose(read_sound(tmp_path / "a.wav", RATE), torch.from_numpy(x), atol=1.5 / full)


def test_another_rate_is_resampled(tmp_path):
    write_sound(sine(440, 1.0, 16000), 16000, tmp_path / "a.wav")
    made = read_sound(tmp_path / "a.wav", RATE)
    assert len(made) == RATE and torch.allclose(made[500:-500], sine(440, 1.0)[500:-500], atol=2e-3)


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_other_formats_through_soundfile(tmp_path, suffix):
    pytest.importorskip("soundfile")
    x = sine(440)
    write_sound(x, RATE, tmp_path / f"a{suffix}")
    assert torch.allclose(read_sound(tmp_path / f"a{suffix}", RATE)[:8000], x[:8000], atol=0.02)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x24\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(GanzooError, match=r"a\.wav"):
        read_sound(tmp_path / "a.wav", RATE)


def test_sounds_are_saved_one_after_another_and_opened(tmp_path):
    kind, x = Sounds((1, None), RATE), torch.stack([sine(300), sine(900)])[:, None]
    kind.save(x, tmp_path / "a.wav")
    pause = round(0.25 * RATE)
    assert kind.open(tmp_path / "a.wav").shape == (1, 1, 2 * x.shape[-1] + pause)
    kind.save(x, tmp_path / "a.npy")
    assert torch.equal(kind.open(tmp_path / "a.npy"), x)
    kind.save_each(x, tmp_path)
    assert torch.allclose(kind.open(tmp_path / "00001.wav")[0], x[1], atol=1e-4)


def test_a_recording_is_the_first_sounds_within_some_seconds(tmp_path):
    """As many as begin within eight seconds, with a pause after each; a long one is cut."""
    kind = Sounds((1, None), RATE)
    second = torch.stack([sine(100 + 10 * i)[:RATE].repeat(RATE)[:RATE] for i in range(20)])[:, None]
    (tmp_path / "few.wav").write_bytes(kind.recording(second[:2]))
    assert torch.allclose(kind.open(tmp_path / "few.wav")[0, 0, :RATE], second[0, 0], atol=1e-4)
    assert kind.open(tmp_path / "few.wav").shape[2] == 2 * RATE + RATE // 4
    (tmp_path / "many.wav").write_bytes(kind.recording(second))
    heard = kind.open(tmp_path / "many.wav")[0, 0]
    assert len(heard) == 8 * RATE
    sixth = 6 * (RATE + RATE // 4)
    assert torch.allclose(heard[sixth : sixth + RATE // 2], second[6, 0, : RATE // 2], atol=1e-4)
    (tmp_path / "long.wav").write_bytes(kind.recording(second.reshape(1, 1, -1)))
    assert kind.open(tmp_path / "long.wav").shape[2] == 8 * RATE


def test_a_run_and_a_card_can_be_heard(tmp_path):
    """samples.wav lies beside samples.png in a run's model, and is exported and verified with it."""
    run, out = tmp_path / "run", tmp_path / "out"
    gz.fit(gz.create("wavegan", preset="tiny"), "tones", images=32, batch_size=16, out=run)
    sounds = sorted(path.name for path in (run / "samples").glob("*.wav"))
    assert sounds == [path.with_suffix(".wav").name for path in sorted((run / "samples").glob("*.png"))] != []
    model = gz.load(run)
    heard = model.generator.output.recording(model.sample(64, seed=0))
    assert (run / "model" / "samples.wav").read_bytes() == heard
    export(str(run), out)
    assert (out / "samples.wav").read_bytes() == heard and "(samples.wav)" in (out / "README.md").read_text()
    (run / "model" / "samples.png").unlink()
    (run / "model" / "samples.wav").write_bytes(b"no sound")
    with pytest.raises(GanzooError, match=r"samples.wav: is no WAV"):
        export(str(run), out)


def test_a_picture_shows_high_tones_above_low_ones():
    kind = Sounds((1, None), RATE)
    low, high = (np.asarray(kind.picture(sine(hz)[None, None]).convert("L")).mean(1).argmax() for hz in (500, 3000))
    assert high < low - 20


# Spectrograms


def test_the_mel_scale_is_slaneys():
    assert torch.allclose(mels(torch.tensor([0.0, 200.0, 1000.0, 6400.0])), torch.tensor([0.0, 3.0, 15.0, 42.0]))
    hz = torch.tensor([50.0, 999.0, 1001.0, 8000.0])
    assert torch.allclose(hertz(mels(hz)), hz, rtol=1e-5)


def test_filters_have_area_one_in_hertz():
    made = filters(22050, 8192, 80, 8000.0)  # fine enough that sums are integrals
    assert torch.allclose(made.sum(1) * 22050 / 8192, torch.ones(80), atol=0.02)


def test_magnitudes_are_those_of_a_transform_by_hand():
    x, n, hop = torch.randn(256), 64, 16
    made = magnitudes(x, n, hop)
    border = (n - hop) // 2
    long = torch.nn.functional.pad(x[None, None], (border, border), mode="reflect")[0, 0]
    frame = long[5 * hop : 5 * hop + n] * torch.hann_window(n)
    k = torch.arange(n // 2 + 1)[:, None] * torch.arange(n) * 2 * math.pi / n
    by_hand = ((k.cos() @ frame) ** 2 + (k.sin() @ frame) ** 2 + 1e-9).sqrt()
    assert made.shape == (n // 2 + 1, len(x) // hop) and torch.allclose(made[:, 5], by_hand, atol=1e-4)


def test_a_tone_lies_in_its_band_and_logs_may_be_decimal():
    mel = Mel(RATE, 512, 128, 40, 4000.0)
    logs = mel(sine(1000))
    corners = hertz(torch.linspace(0, float(mels(torch.tensor(4000.0))), 42))
    assert abs(float(corners[1 + int(logs.mean(1).argmax())]) - 1000) < 80
    assert torch.allclose(mel._replace(decimal=True)(sine(1000)) * math.log(10), logs, atol=1e-4)


def test_griffin_and_lims_way_back_comes_near():
    mel, x = MELS["phone"], sine(700)
    again = griffin_lim(mel(x), mel)
    assert again.shape == x.shape and (mel(again) - mel(x))[:, 4:-4].abs().mean() < 1
    assert (mel(torch.randn(len(x)) * 0.1) - mel(x))[:, 4:-4].abs().mean() > 2


# Data


def test_sets_by_formula_are_the_same_every_time():
    first, again = (sets.by_formula.__wrapped__("drums", "8k", sets.drum, sets.DRUMS) for _ in range(2))
    assert first.info.fingerprint == again.info.fingerprint
    batch = first.fetch([0, 1])
    assert batch["audio"].shape == (2, 1, 8192) and batch["audio"].abs().max() <= 1
    assert batch["label"].tolist() == [0, 1] and first.info.class_names[1] == "snare"


def test_a_view_adds_spectrograms_and_refuses_another_rate():
    data = sets.open_tones(None, "8k")
    batch = WithMel(data, "phone").fetch([3])
    assert torch.equal(batch["mel"], MELS["phone"](batch["audio"][:, 0])) and batch["mel"].shape == (1, 40, 64)
    with pytest.raises(GanzooError, match="22050"):
        WithMel(data, "hifigan")


def test_a_folder_of_recordings_is_cut(tmp_path):
    for name, seconds in (("a/x.wav", 2.7), ("b/y.wav", 0.3), ("b/z.wav", 1.024)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_sound(sine(200, seconds), RATE, tmp_path / name)
    data = sets.open_sounds8k(str(tmp_path), {})
    assert data.fetch(range(len(data)))["label"].tolist() == [0, 0, 0, 1]  # 2.7 s: two pieces, and most of a third
    (empty := tmp_path / "c").mkdir()
    with pytest.raises(GanzooError, match="holds no"):
        sets.open_sounds(str(empty), {})


def test_digits_are_said():
    pytest.importorskip("espeakng_loader")
    from ganzoo_audio.speech import Utterance, spoken

    short, long = spoken([Utterance("two", "en", 200, 50), Utterance("seven", "en+f2", 100, 50)])
    assert len(long) > len(short) > 2000 and abs(short).max() > 1000


# Networks


COUNTS = {
    ("wavegan", "paper"): {"G": 19065345, "D": 17427969},
    ("melgan", "paper"): {"G": 4266050, "D": 16924086},
    ("hifigan", "paper"): {"G": 13936130, "MPD": 41105770, "MSD": 29618821},
    ("hifigan", "v2"): {"G": 928514},
    ("hifigan", "v3"): {"G": 1464322},
}


@pytest.mark.parametrize(("family", "preset"), COUNTS)
def test_presets_have_the_published_counts(family, preset):
    with torch.device("meta"):
        nets = build_networks(family, recipe(family, preset=preset).args)
    found = {name: sum(w.numel() for w in net.parameters()) for name, net in nets.items()}
    assert COUNTS[family, preset].items() <= found.items()


def test_wavegan_by_hand():
    nets = build_networks("wavegan", recipe("wavegan", preset="tiny").args)
    g, d, z = nets["G"], nets["D"].eval(), torch.rand(3, 8) * 2 - 1
    h = (z @ g.dense.weight.T + g.dense.bias).reshape(3, 8, 16)
    for layer in g.layers:
        h = conv_transpose1d(h.relu(), layer.weight, layer.bias, 4, 11, 1)
    x = h.tanh()
    assert torch.allclose(g(z), x, atol=1e-6) and x.shape == (3, 1, 256)
    d.shuffle = 0
    h = x
    for layer in d.layers:
        h = leaky_relu(conv1d(h, layer.weight, layer.bias, 4, 11), 0.2)
    assert torch.allclose(d(x), h.flatten(1) @ d.dense.weight[0] + d.dense.bias, atol=1e-6)


def test_phase_shuffle_moves_and_mirrors(monkeypatch):
    x = torch.arange(5.0)[None, None]
    for shift, seen in ((2, [2, 3, 4, 3, 2]), (-2, [2, 1, 0, 1, 2]), (0, [0, 1, 2, 3, 4])):
        monkeypatch.setattr(torch, "randint", lambda *_a, shift=shift, **_k: torch.tensor([shift]))
        assert wavegan.phase_shuffled(x, 2).flatten().tolist() == seen


def test_a_period_reads_every_pth_sample():
    x = torch.arange(7.0)[None, None]
    assert listeners.folded(x, 3)[0, 0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 5, 4]]


@pytest.mark.parametrize("family", ["hifigan", "melgan"])
def test_a_vocoder_makes_a_hop_of_every_frame(family):
    net = build_networks(family, recipe(family, preset="tiny").args)["G"]
    assert net(torch.randn(2, 8, 13)).shape == (2, 1, 13 * 16)
    x = torch.randn(1, 8, 60)
    y = x.clone()
    y[..., 50:] += 1
    assert torch.equal(net(x)[..., : 20 * 16], net(y)[..., : 20 * 16])  # it is local


# Games


class Ear(listeners.Listeners):
    """Hears a sound's samples, and scores them by their double."""

    def heard(self, x):
        return [[x, 2 * x]]


def vocoder(family, monkeypatch, **given):
    game = build(recipe(family, preset="tiny", given=given))
    x, s, made = torch.full((2, 1, 256), 0.25), torch.randn(2, 8, 16), torch.full((2, 1, 256), -0.5)
    monkeypatch.setattr(game.G, "forward", lambda _mel: made)
    return game, {"audio": x, "mel": s}


def test_hifigans_losses_in_closed_form(monkeypatch):
    game, batch = vocoder("hifigan", monkeypatch)
    game.MPD, game.MSD = Ear(), Ear()
    d, g = game.d_loss(batch), game.g_loss(batch)
    assert d["real"].item() == pytest.approx(2 * 0.25) and d["fake"].item() == pytest.approx(2 * 1.0)
    assert g["adv"].item() == pytest.approx(2 * 4.0) and g["fm"].item() == pytest.approx(2 * 2 * (0.75 + 1.5))
    whole = game.spec.in_full()
    apart = (whole(torch.full((1, 256), -0.5)) - whole(torch.full((1, 256), 0.25))).abs().mean()
    assert g["mel"].item() == pytest.approx(45 * apart.item(), rel=1e-4)


def test_melgans_losses_in_closed_form(monkeypatch):
    game, batch = vocoder("melgan", monkeypatch)

    class Ears(listeners.Listeners):
        def heard(self, x):
            return [[x, x, 2 * x, 2 * x]] * 2  # one layer of stride 4, two scales

    game.D = Ears()
    d, g = game.d_loss(batch), game.g_loss(batch)
    assert d["real"].item() == pytest.approx(2 * 0.5) and d["fake"].item() == pytest.approx(0.0)
    assert g["adv"].item() == pytest.approx(2 * 1.0)
    assert g["fm"].item() == pytest.approx(10 * 4 / 2 / 2 * 2 * (0.75 + 0.75 + 1.5))


def test_a_stretch_of_sound_lies_under_its_spectrogram():
    game = build(recipe("hifigan", preset="tiny", given={"segment_size": 64}))
    ramp = torch.arange(512.0).expand(3, 1, -1)
    frames = torch.arange(32.0).expand(3, 8, -1)
    x, s = game.segment({"audio": ramp, "mel": frames})
    assert x.shape == (3, 1, 64) and s.shape == (3, 8, 4)
    assert torch.equal(x[:, 0, ::16], 16 * s[:, 0])


@pytest.mark.slow
def test_the_rate_is_the_datas():
    """A sound that is saved at another rate than it was learnt at has another pitch."""
    facts = sets.open_tones(None, "22k").facts()
    assert recipe("wavegan", preset="drums", facts=facts).args["rate"] == 22050
    assert recipe("wavegan").args["rate"] == 16000


def test_sounds_that_are_too_short_are_refused_in_one_line():
    with pytest.raises(GanzooError, match="samples"):
        anywhere(torch.zeros(2, 1, 100), 256)
    with pytest.raises(GanzooError, match="hop"):
        hifigan.networks(mel="tiny", ups=(8, 8), kernels=(16, 16))
    with pytest.raises(GanzooError, match="hop"):
        melgan.networks(mel="tiny", ups=(8, 8))


def test_a_vocoder_is_given_a_file(tmp_path):
    kind = Spectrogram((40, None), "phone")
    write_sound(sine(440), RATE, tmp_path / "a.wav")
    made = kind.rows("mel", str(tmp_path / "a.wav"), 2, torch.device("cpu"))
    assert made.shape == (2, 40, 64) and torch.allclose(made[0].exp(), MELS["phone"](sine(440)).exp(), atol=1e-3)
    np.save(tmp_path / "a.npy", made[0].numpy())
    assert torch.equal(kind.rows("mel", tmp_path / "a.npy", 1, torch.device("cpu"))[0], made[0])


def test_scores_tell_a_good_vocoder_from_a_bad_one(tmp_path):
    """Of the data themselves, Griffin and Lim's distance is the yardstick; noise is farther from drums than drums."""
    from ganzoo_audio.scores import moments, rows
    from ganzoo_metrics.fidelity import frechet

    mel = Mel(RATE, 256, 64, 40, 4000.0)
    drums = sets.open_drums(None, "8k").fetch(range(200))["audio"]
    one, other, noise = rows(mel, [drums[::2]]), rows(mel, [drums[1::2]]), rows(mel, [0.1 * torch.randn(100, 1, 8192)])
    assert one.shape == (100, 120)
    near, far = (frechet(moments(one).mean, moments(one).cov, moments(x).mean, moments(x).cov) for x in (other, noise))
    assert near * 5 < far


@pytest.mark.slow
def test_the_way_from_training_to_a_file(tmp_path):
    from processes import ganzoo

    done = ganzoo(
        "train", "hifigan", "--preset", "tiny", "--data", "mel:tiny:drums:8k", "--images", "64", "--out", tmp_path / "r"
    )
    assert done.returncode == 0, done.stderr
    write_sound(sine(440), RATE, tmp_path / "a.wav")
    done = ganzoo("sample", tmp_path / "r", "-c", f"mel={tmp_path / 'a.wav'}", "-o", tmp_path / "b.wav")
    assert done.returncode == 0, done.stderr
    assert read_sound(tmp_path / "b.wav", RATE).shape == (8192,)
    done = ganzoo("eval", tmp_path / "r", "--data", "mel:tiny:drums:8k", "-n", "8", "--metric", "mel_distance")
    assert done.returncode == 0 and "griffin_lim" in done.stdout, done.stderr
    assert isinstance(gz.load(str(tmp_path / "r")).generator.output, Sounds)


def test_an_empty_file_of_numbers_is_refused_in_a_line(tmp_path):
    (tmp_path / "a.npy").touch()
    with pytest.raises(GanzooError, match=r"a\.npy"):
        Sounds((1, None), RATE).open(tmp_path / "a.npy")
    with pytest.raises(GanzooError, match=r"a\.npy"):
        Spectrogram((40, None), "phone").read(tmp_path / "a.npy")
