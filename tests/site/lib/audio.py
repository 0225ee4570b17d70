"""G.711 and L16 to numpy and back; alignment, SNR, level and pitch."""
import wave

import numpy as np
from scipy import signal


def _ulaw_table():
    codes = ~np.arange(256) & 255
    mag = (((codes & 15) << 3) + 132 << ((codes >> 4) & 7)) - 132
    return np.where(codes & 128, -mag, mag).astype(np.int16)


def _alaw_table():
    codes = np.arange(256) ^ 0x55
    exp, mant = (codes >> 4) & 7, codes & 15
    mag = np.where(exp == 0, (mant << 4) + 8, ((mant << 4) + 264) << np.maximum(exp - 1, 0))
    return np.where(codes & 128, mag, -mag).astype(np.int16)


ULAW, ALAW = _ulaw_table(), _alaw_table()


def _encode(table, pcm, skip=()):
    codes = np.array([c for c in range(256) if c not in skip])
    values = table[codes].astype(int)
    order = np.argsort(values, kind="stable")
    values, codes = values[order], codes[order]
    pcm = np.asarray(pcm, dtype=int)
    i = np.clip(np.searchsorted(values, pcm), 1, len(values) - 1)
    i -= pcm - values[i - 1] <= values[i] - pcm
    return codes[i].astype(np.uint8).tobytes()


def ulaw_encode(pcm):
    """Nearest code; zero is 0xFF (0x7F is the other zero)."""
    return _encode(ULAW, pcm, skip=(0x7F,))


def alaw_encode(pcm):
    return _encode(ALAW, pcm)


def ulaw(data):
    return ULAW[np.frombuffer(data, np.uint8)]


def alaw(data):
    return ALAW[np.frombuffer(data, np.uint8)]


def l16(data):
    return np.frombuffer(data, ">i2").astype(np.int16)


DECODERS = {0: ulaw, 8: alaw, 11: l16, 10: l16}


def codes(seconds, seed, rate=8000):
    """Noise as mu-law codes that survive decoding and encoding unchanged, and in
    which every place can be told from every other. About -20 dBFS."""
    rng = np.random.default_rng(seed)
    pcm = np.clip(rng.normal(0, 3000, int(seconds * rate)), -30000, 30000)
    return ulaw_encode(pcm)


def tone(hz, seconds, rate=8000, dbfs=-12.0):
    t = np.arange(int(seconds * rate)) / rate
    return (32767 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def write_wav(path, pcm, rate=8000):
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(np.asarray(pcm, "<i2").tobytes())


def read_wav(path):
    with wave.open(str(path), "rb") as w:
        assert w.getsampwidth() == 2
        pcm = np.frombuffer(w.readframes(w.getnframes()), "<i2")
        return pcm[::w.getnchannels()], w.getframerate()


def align(heard, sent):
    """Where sent begins in heard, by correlation."""
    c = signal.correlate(heard.astype(float), sent.astype(float), mode="valid", method="fft")
    return int(np.argmax(c))


def snr_db(heard, sent):
    """Signal to noise after the best lag and gain."""
    heard, sent = np.asarray(heard, float), np.asarray(sent, float)
    if len(heard) < len(sent):
        sent = sent[:len(heard)]
    lag = align(heard, sent)
    h = heard[lag:lag + len(sent)]
    gain = np.dot(h, sent) / max(np.dot(sent, sent), 1)
    noise = h - gain * sent
    return 10 * np.log10(np.dot(gain * sent, gain * sent) / max(np.dot(noise, noise), 1e-9))


def level_dbfs(pcm):
    """RMS level; -99 for silence."""
    rms = np.sqrt(np.mean(np.asarray(pcm, float) ** 2)) if len(pcm) else 0
    return 20 * np.log10(rms / 32767) if rms > 0.3 else -99.0


def pitch_hz(pcm, rate=8000):
    """The strongest frequency."""
    x = np.asarray(pcm, float) * np.hanning(len(pcm))
    n = 1 << 17
    spectrum = np.abs(np.fft.rfft(x, n))
    return float(np.argmax(spectrum[1:]) + 1) * rate / n
