#!/usr/bin/python3
"""The peer of `bench train`: the same Llama model, weights, batches and optimiser in PyTorch, as its users write it.

Usage: train.py FOLDER PRECISION STEPS THREADS
FOLDER holds model.json, weights.f32 (flat, in the order of specs/60-training.md, section 2) and windows.i64, all written by the
benchmark. PRECISION is fp32 or bf16 (autocast). Prints one JSON object: milliseconds a step (of the clock, and of all
processors), losses, peak bytes, torch's version.
Where the benchmark preloads the shim, PyTorch's matrix products run on the same oneDNN as ours; else on what Debian chose.
"""
import contextlib
import json
import math
import pathlib
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

folder, precision, steps, threads = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
config = json.loads((folder / "model.json").read_text())
V, C, L, H, G, FF, T, B = (config[name] for name in (
    "vocabulary", "width", "layers", "heads", "keyValueHeads", "feedForward", "contextTokens", "batchSequences"))
D = C // H


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + config["normEpsilon"]) * self.weight


def rope(x, cosine, sine):  # (B, heads, T, D)
    left, right = x[..., : D // 2], x[..., D // 2 :]
    return torch.cat((left * cosine - right * sine, right * cosine + left * sine), -1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(C, H * D, bias=False), nn.Linear(C, G * D, bias=False)
        self.v_proj, self.o_proj = nn.Linear(C, G * D, bias=False), nn.Linear(H * D, C, bias=False)

    def forward(self, x, cosine, sine, mask):
        b, t, _ = x.shape
        q = rope(self.q_proj(x).view(b, t, H, D).transpose(1, 2), cosine, sine)
        k = rope(self.k_proj(x).view(b, t, G, D).transpose(1, 2), cosine, sine)
        v = self.v_proj(x).view(b, t, G, D).transpose(1, 2)
        if G != H:
            k, v = k.repeat_interleave(H // G, 1), v.repeat_interleave(H // G, 1)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q * (1 / math.sqrt(D))) @ k.transpose(-2, -1)
            y = scores.masked_fill(mask[:t, :t], float("-inf")).softmax(-1).to(v.dtype) @ v
        return self.o_proj(y.transpose(1, 2).reshape(b, t, H * D))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(C, FF, bias=False), nn.Linear(C, FF, bias=False)
        self.down_proj = nn.Linear(FF, C, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm, self.self_attn = RMSNorm(), Attention()
        self.post_attention_layernorm, self.mlp = RMSNorm(), FeedForward()

    def forward(self, x, *tables):
        x = x + self.self_attn(self.input_layernorm(x), *tables)
        return x + self.mlp(self.post_attention_layernorm(x))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(V, C)
        self.layers = nn.ModuleList(Block() for _ in range(L))
        self.norm = RMSNorm()
        angle = torch.outer(torch.arange(T).double(), config["ropeTheta"] ** (-torch.arange(0, D, 2).double() / D))
        self.register_buffer("cosine", angle.cos().float())
        self.register_buffer("sine", angle.sin().float())
        self.register_buffer("mask", torch.ones(T, T, dtype=torch.bool).triu(1))

    def forward(self, tokens):  # (B, T) -> (B, T, V)
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x, self.cosine, self.sine, self.mask)
        return F.linear(self.norm(x), self.embed_tokens.weight)


def load(model):
    flat = torch.frombuffer(bytearray((folder / "weights.f32").read_bytes()), dtype=torch.float32)
    parameters = dict(model.named_parameters())
    matrices = [name for name, p in parameters.items() if p.dim() > 1]
    gains = [name for name, p in parameters.items() if p.dim() == 1 and name != "norm.weight"] + ["norm.weight"]
    start = 0
    with torch.no_grad():
        for name in matrices + gains:
            count = parameters[name].numel()
            parameters[name].copy_(flat[start : start + count].view_as(parameters[name]))
            start += count
    assert start == flat.numel(), f"the model has {start} parameters, the file {flat.numel()}"


def main():
    torch.set_num_threads(threads)
    model = Llama()
    load(model)
    windows = torch.frombuffer(bytearray((folder / "windows.i64").read_bytes()), dtype=torch.int64).view(-1, B, T + 1)
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": config["weightDecay"]},
              {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=config["learningRate"], betas=(config["beta1"], config["beta2"]), eps=config["epsilon"])
    milliseconds, processor, losses = [], [], []
    for step in range(steps):
        start, busy = time.perf_counter(), time.process_time()
        window = windows[step]
        cast = torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
        with cast:
            logits = model(window[:, :-1])
            loss = F.cross_entropy(logits.view(-1, V).float(), window[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config["clipNorm"])
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
        milliseconds.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - busy))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"milliseconds": milliseconds, "processorMilliseconds": processor, "losses": losses, "peakBytes": peak,
                      "runtime": f"PyTorch {torch.__version__}"}))


main()
