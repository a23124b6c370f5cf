//! Writer of the ggml file that whisper.cpp loads, from CTranslate2's variables.
//!
//! Layout: <https://github.com/ggml-org/whisper.cpp/blob/master/models/convert-pt-to-ggml.py>. CTranslate2 merges the
//! query, key and value matrices by rows; they are taken apart again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use sha1::{Digest, Sha1};

use super::ctranslate2::{Element, Variable, Variables};
use super::package::{Packaged, Pinned};
use super::{ModelError, ModelProgress, mel, vocabulary};

const MAGIC: u32 = 0x6767_6d6c;
const SINGLE: u32 = 0;
const HALF: u32 = 1;

/// A tensor of the ggml file and the rows of the variable that hold it: part `part` of `parts`.
struct Tensor {
    name: String,
    variable: String,
    part: usize,
    parts: usize,
}

/// Writes the converted file beside its place, and moves it there only if its digest is the published one.
pub(super) fn convert(
    packaged: &Packaged,
    pinned: &Pinned,
    target: &Path,
    progress: &dyn ModelProgress,
) -> Result<(), ModelError> {
    progress.step("converting");
    let making = target.with_extension("making");
    let file = File::create(&making).map_err(ModelError::io("create", &making))?;
    let mut sink = Sink { writer: BufWriter::with_capacity(1 << 20, file), digest: Sha1::new(), done: 0 };
    let written = write(packaged, &mut sink, progress);
    let finished = written.and_then(|()| sink.finish().map_err(ModelError::io("write", &making)));
    let verified = finished.and_then(|found| match found == pinned.converted_sha1 {
        true => Ok(()),
        false => {
            Err(ModelError::Mismatch { what: "the converted model".into(), expected: pinned.converted_sha1, found })
        }
    });
    if verified.is_err() {
        // What does not match must not lie about.
        let _ = std::fs::remove_file(&making);
        return verified;
    }
    std::fs::rename(&making, target).map_err(ModelError::io("rename", &making))
}

fn write(packaged: &Packaged, sink: &mut Sink, progress: &dyn ModelProgress) -> Result<(), ModelError> {
    let variables = Variables::read(&packaged.weights)?;
    let layers = Layers { encoder: count_layers(&variables, "encoder"), decoder: count_layers(&variables, "decoder") };
    write_header(&variables, &layers, sink)?;
    for weight in mel::filters() {
        sink.put(&weight.to_le_bytes())?;
    }
    let tokens = vocabulary::tokens(&packaged.vocabulary)?;
    sink.number(tokens.len())?;
    for token in tokens {
        sink.number(token.len())?;
        sink.put(&token)?;
    }
    let total = packaged.weights.len() as u64;
    for tensor in tensors(&layers) {
        write_tensor(&tensor, variables.get(&tensor.variable)?, sink)?;
        progress.bytes(sink.done.min(total), total);
    }
    Ok(())
}

struct Layers {
    encoder: usize,
    decoder: usize,
}

fn count_layers(variables: &Variables<'_>, side: &str) -> usize {
    (0..).take_while(|layer| variables.has(&format!("{side}/layer_{layer}/ffn/linear_0/weight"))).count()
}

fn write_header(variables: &Variables<'_>, layers: &Layers, sink: &mut Sink) -> Result<(), ModelError> {
    let embeddings = variables.get("decoder/embeddings/weight")?;
    let audio = variables.get("encoder/position_encodings/encodings")?;
    let text = variables.get("decoder/position_encodings/encodings")?;
    let convolution = variables.get("encoder/conv1/weight")?;
    sink.put(&MAGIC.to_le_bytes())?;
    for number in [
        embeddings.dimension(0)?,
        audio.dimension(0)?,
        audio.dimension(1)?,
        variables.get("encoder/num_heads")?.scalar()?,
    ] {
        sink.put(&number.to_le_bytes())?;
    }
    sink.number(layers.encoder)?;
    for number in [text.dimension(0)?, text.dimension(1)?, variables.get("decoder/num_heads")?.scalar()?] {
        sink.put(&number.to_le_bytes())?;
    }
    sink.number(layers.decoder)?;
    sink.put(&convolution.dimension(1)?.to_le_bytes())?;
    sink.put(&HALF.to_le_bytes())?;
    sink.number(mel::BANDS)?;
    sink.number(mel::BINS)
}

fn write_tensor(tensor: &Tensor, variable: &Variable<'_>, sink: &mut Sink) -> Result<(), ModelError> {
    if variable.element != Element::Half {
        return Err(ModelError::format(format!("{} is not half precision", tensor.variable)));
    }
    let size = variable.data.len() / tensor.parts;
    let data = variable
        .data
        .chunks_exact(size.max(1))
        .nth(tensor.part)
        .ok_or_else(|| ModelError::format(format!("{} is empty", tensor.variable)))?;
    let mut dimensions = variable.dimensions.clone();
    if let Some(rows) = dimensions.first_mut() {
        *rows /= u32::try_from(tensor.parts).unwrap_or(1);
    }
    let single = dimensions.len() < 2 || tensor.name.ends_with("positional_embedding");
    if tensor.name.starts_with("encoder.conv") && dimensions.len() == 1 {
        dimensions.push(1); // whisper.cpp adds it to a matrix
    }
    sink.number(dimensions.len())?;
    sink.number(tensor.name.len())?;
    sink.put(&(if single { SINGLE } else { HALF }).to_le_bytes())?;
    for dimension in dimensions.iter().rev() {
        sink.put(&dimension.to_le_bytes())?;
    }
    sink.put(tensor.name.as_bytes())?;
    if !single {
        return sink.put(data);
    }
    let mut widened = Vec::with_capacity(data.len() * 2);
    for pair in data.as_chunks::<2>().0 {
        widened.extend_from_slice(&widen(u16::from_le_bytes(*pair)).to_le_bytes());
    }
    sink.put(&widened)
}

/// Widens IEEE 754 half precision to single, without loss.
fn widen(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((half >> 10) & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

/// All tensors in the order of OpenAI's checkpoints.
fn tensors(layers: &Layers) -> Vec<Tensor> {
    let mut list = List(Vec::new());
    list.whole("decoder.positional_embedding", "decoder/position_encodings/encodings");
    list.whole("encoder.positional_embedding", "encoder/position_encodings/encodings");
    list.whole("decoder.token_embedding.weight", "decoder/embeddings/weight");
    for layer in 0..layers.decoder {
        let (to, from) = (format!("decoder.blocks.{layer}"), format!("decoder/layer_{layer}"));
        list.block(&to, &from);
        list.norm(&format!("{to}.cross_attn_ln"), &format!("{from}/attention/layer_norm"));
        list.cross_attention(&format!("{to}.cross_attn"), &format!("{from}/attention"));
    }
    list.norm("decoder.ln", "decoder/layer_norm");
    for convolution in ["conv1", "conv2"] {
        list.linear(&format!("encoder.{convolution}"), &format!("encoder/{convolution}"));
    }
    for layer in 0..layers.encoder {
        list.block(&format!("encoder.blocks.{layer}"), &format!("encoder/layer_{layer}"));
    }
    list.norm("encoder.ln_post", "encoder/layer_norm");
    list.0
}

struct List(Vec<Tensor>);

impl List {
    fn part(&mut self, name: String, variable: String, (part, parts): (usize, usize)) {
        self.0.push(Tensor { name, variable, part, parts });
    }

    fn whole(&mut self, name: &str, variable: &str) {
        self.part(name.to_owned(), variable.to_owned(), (0, 1));
    }

    fn linear(&mut self, to: &str, from: &str) {
        self.whole(&format!("{to}.weight"), &format!("{from}/weight"));
        self.whole(&format!("{to}.bias"), &format!("{from}/bias"));
    }

    fn norm(&mut self, to: &str, from: &str) {
        self.whole(&format!("{to}.weight"), &format!("{from}/gamma"));
        self.whole(&format!("{to}.bias"), &format!("{from}/beta"));
    }

    fn block(&mut self, to: &str, from: &str) {
        self.norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"));
        self.linear(&format!("{to}.mlp.0"), &format!("{from}/ffn/linear_0"));
        self.linear(&format!("{to}.mlp.2"), &format!("{from}/ffn/linear_1"));
        self.norm(&format!("{to}.attn_ln"), &format!("{from}/self_attention/layer_norm"));
        let (to, from) = (format!("{to}.attn"), format!("{from}/self_attention"));
        self.projections(&to, &format!("{from}/linear_0"), ["query", "key", "value"]);
        self.linear(&format!("{to}.out"), &format!("{from}/linear_1"));
    }

    fn cross_attention(&mut self, to: &str, from: &str) {
        self.projections(to, &format!("{from}/linear_0"), ["query"]);
        self.projections(to, &format!("{from}/linear_1"), ["key", "value"]);
        self.linear(&format!("{to}.out"), &format!("{from}/linear_2"));
    }

    /// Projections that one variable holds one below the other; Whisper's key has no bias (CTranslate2 stores zeros).
    fn projections<const N: usize>(&mut self, to: &str, from: &str, names: [&str; N]) {
        for (part, name) in names.into_iter().enumerate() {
            self.part(format!("{to}.{name}.weight"), format!("{from}/weight"), (part, N));
            if name != "key" {
                self.part(format!("{to}.{name}.bias"), format!("{from}/bias"), (part, N));
            }
        }
    }
}

struct Sink {
    writer: BufWriter<File>,
    digest: Sha1,
    done: u64,
}

impl Sink {
    fn put(&mut self, bytes: &[u8]) -> Result<(), ModelError> {
        self.digest.update(bytes);
        self.done += bytes.len() as u64;
        self.writer.write_all(bytes).map_err(ModelError::io("write", Path::new("the converted model")))
    }

    fn number(&mut self, number: usize) -> Result<(), ModelError> {
        let number = u32::try_from(number).map_err(|error| ModelError::format(error.to_string()))?;
        self.put(&number.to_le_bytes())
    }

    fn finish(self) -> std::io::Result<String> {
        let file = self.writer.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        Ok(hex::encode(self.digest.finalize()))
    }
}
