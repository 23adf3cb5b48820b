#!/usr/bin/python3
"""Golden values of a small Llama model: forward, loss, gradients, three AdamW steps, from PyTorch itself.

Run with Debian's python3-torch:  /usr/bin/python3 tests/foreign/python/golden.py
It writes tests/Tapestry.Training.Tests/Golden/llama.json. Weights and tokens come from the integer generator below, which the
test repeats, so nothing depends on a library's random numbers. Everything is computed in double precision, so the file holds
the true values, and the tolerances of the test measure the error of single precision.
"""
import json
import pathlib

import torch

V, C, L, H, G, F, B, T = 11, 16, 2, 4, 2, 24, 2, 12  # vocabulary, channels, layers, heads, key heads, feed-forward, batch, time
D = C // H
EPS, THETA = 1e-5, 10000.0
RATE, BETA1, BETA2, ADAM_EPS, DECAY, CLIP = 1e-2, 0.9, 0.95, 1e-8, 0.1, 1.0


def uniform(seed, count):
    """Multiples of 2^-16 in [-1, 1): the high bits of a 32-bit linear congruential generator (Numerical Recipes' constants)."""
    values, state = [], seed
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values.append((state >> 15) / 2**16 - 1.0)
    return values


def shapes():
    """Hugging Face names, in the order of specs/60-training.md, section 2: matrices, then gains."""
    yield "model.embed_tokens.weight", (V, C)
    for i in range(L):
        for name, shape in (
            ("self_attn.q_proj", (H * D, C)), ("self_attn.k_proj", (G * D, C)), ("self_attn.v_proj", (G * D, C)),
            ("self_attn.o_proj", (C, H * D)), ("mlp.gate_proj", (F, C)), ("mlp.up_proj", (F, C)), ("mlp.down_proj", (C, F)),
        ):
            yield f"model.layers.{i}.{name}.weight", shape
    for i in range(L):
        yield f"model.layers.{i}.input_layernorm.weight", (C,)
        yield f"model.layers.{i}.post_attention_layernorm.weight", (C,)
    yield "model.norm.weight", (C,)


def weights():
    result = {}
    for index, (name, shape) in enumerate(shapes()):
        values = torch.tensor(uniform(index + 1, torch.Size(shape).numel()), dtype=torch.float64).view(shape)
        result[name] = (1 + 0.1 * values if len(shape) == 1 else 0.25 * values).requires_grad_(True)
    return result


def tokens():
    values = uniform(99, B * (T + 1))
    return torch.tensor([int((value + 1) * 2**15) % V for value in values]).view(B, T + 1)


def rms_norm(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * w


def rope(x):  # (B, heads, T, D)
    angle = torch.outer(torch.arange(T, dtype=torch.float64), THETA ** (-torch.arange(0, D, 2, dtype=torch.float64) / D))
    cosine, sine = angle.cos(), angle.sin()
    left, right = x[..., : D // 2], x[..., D // 2 :]
    return torch.cat((left * cosine - right * sine, right * cosine + left * sine), -1)


def forward(p, x):  # (B, T) -> (B, T, V)
    h = p["model.embed_tokens.weight"][x]
    mask = torch.ones(T, T, dtype=torch.bool).triu(1)
    for i in range(L):
        w = lambda name: p[f"model.layers.{i}.{name}.weight"]
        n = rms_norm(h, w("input_layernorm"))
        heads = lambda name, count: (n @ w(f"self_attn.{name}").T).view(B, T, count, D).transpose(1, 2)
        q, k, v = rope(heads("q_proj", H)), rope(heads("k_proj", G)), heads("v_proj", G)
        k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
        scores = (q @ k.transpose(-2, -1) / D**0.5).masked_fill(mask, float("-inf"))
        h = h + (scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, C) @ w("self_attn.o_proj").T
        n = rms_norm(h, w("post_attention_layernorm"))
        h = h + (torch.nn.functional.silu(n @ w("mlp.gate_proj").T) * (n @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    return rms_norm(h, p["model.norm.weight"]) @ p["model.embed_tokens.weight"].T


def main():
    p, data = weights(), tokens()
    decaying = [t for t in p.values() if t.dim() > 1]
    plain = [t for t in p.values() if t.dim() == 1]
    optimiser = torch.optim.AdamW(
        [{"params": decaying, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=RATE, betas=(BETA1, BETA2), eps=ADAM_EPS)
    listed = lambda tensor: [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]
    golden = {"torch": torch.__version__, "losses": [], "norms": []}
    for step in range(3):
        logits = forward(p, data[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.reshape(B * T, V), data[:, 1:].reshape(B * T))
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            golden["logits"] = listed(logits)
            golden["gradients"] = {name: listed(tensor.grad) for name, tensor in p.items()}
        golden["losses"].append(loss.item())
        golden["norms"].append(torch.nn.utils.clip_grad_norm_(list(p.values()), CLIP).item())
        optimiser.step()
    golden["parameters"] = {name: listed(tensor) for name, tensor in p.items()}
    target = pathlib.Path(__file__).parents[2] / "Tapestry.Training.Tests" / "Golden" / "llama.json"
    target.write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")
    print(f"wrote {target}: losses {golden['losses']}")


main()
