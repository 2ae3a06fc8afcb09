"""From a trained run to a model folder: ONNX for our engine, parity checks, sidecar, model card."""
