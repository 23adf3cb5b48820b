"""Reads a Hugging Face Llama folder by the formats' own rules and computes logits in plain torch.

    /usr/bin/python3 tests/foreign/python/llama_reader.py FOLDER "prompt"

Prints one JSON object: each tensor's name, shape and SHA-256, and the logits after every token of the prompt. Shares no
code with the C# side: the standard library reads safetensors and config, torch does the arithmetic in double precision,
written after Hugging Face's modeling_llama conventions (rotate_half over (i, i + w/2), repeat_kv, float32 RMSNorm).
"""
import hashlib
import json
import math
import struct
import sys

import torch


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length).decode("utf-8"))
        data = file.read()
    header.pop("__metadata__", None)
    tensors, digests, at = {}, {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == at, f"{name}: a hole before {begin}"
        assert entry["dtype"] == "F32", name
        raw = data[begin:end]
        assert len(raw) == 4 * math.prod(entry["shape"]), name
        tensors[name] = torch.frombuffer(bytearray(raw), dtype=torch.float32).reshape(entry["shape"]).double()
        digests[name] = {"shape": entry["shape"], "sha256": hashlib.sha256(raw).hexdigest()}
        at = end
    assert at == len(data), "bytes behind the last tensor"
    return tensors, digests


def rms_norm(x, weight, eps):
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps))


def rotate_half(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


def logits(config, weights, tokens):
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width = config["hidden_size"] // heads
    eps = config["rms_norm_eps"]
    length = len(tokens)
    inv_freq = config["rope_theta"] ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), inv_freq)
    angles = torch.cat((angles, angles), dim=-1)
    cos, sin = angles.cos(), angles.sin()
    mask = torch.full((length, length), -math.inf, dtype=torch.float64).triu(1)

    x = weights["model.embed_tokens.weight"][torch.tensor(tokens)]
    for i in range(config["num_hidden_layers"]):
        def w(name):
            return weights[f"model.layers.{i}.{name}.weight"]

        h = rms_norm(x, w("input_layernorm"), eps)
        q = (h @ w("self_attn.q_proj").T).view(length, heads, width).transpose(0, 1)
        k = (h @ w("self_attn.k_proj").T).view(length, kv_heads, width).transpose(0, 1)
        v = (h @ w("self_attn.v_proj").T).view(length, kv_heads, width).transpose(0, 1)
        q = q * cos + rotate_half(q) * sin
        k = k * cos + rotate_half(k) * sin
        k = k.repeat_interleave(heads // kv_heads, dim=0)
        v = v.repeat_interleave(heads // kv_heads, dim=0)
        scores = q @ k.transpose(1, 2) / math.sqrt(width) + mask
        attended = (scores.softmax(-1) @ v).transpose(0, 1).reshape(length, heads * width)
        x = x + attended @ w("self_attn.o_proj").T
        h = rms_norm(x, w("post_attention_layernorm"), eps)
        x = x + (torch.nn.functional.silu(h @ w("mlp.gate_proj").T) * (h @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T

    output = weights["model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"]
    return rms_norm(x, weights["model.norm.weight"], eps) @ output.T


if __name__ == "__main__":
    folder, prompt = sys.argv[1:]
    with open(f"{folder}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    assert config["architectures"] == ["LlamaForCausalLM"] and config["model_type"] == "llama"
    weights, digests = read_safetensors(f"{folder}/model.safetensors")
    tokens = [config["bos_token_id"], *prompt.encode("utf-8")]
    with open(f"{folder}/tokenizer.json", encoding="utf-8") as file:
        vocabulary = json.load(file)["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(256))
    print(json.dumps({"tensors": digests, "tokens": tokens, "logits": logits(config, weights, tokens).tolist()}))
