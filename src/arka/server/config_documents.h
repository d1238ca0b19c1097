// The example file and the reference, written from the key table.
//
// A test compares them with config/arka.example.yaml and docs/reference/configuration.md, so that
// neither can fall behind the code.
#pragma once

#include <string>

namespace arka {

/// A YAML file with every key at its default and what the key does.
std::string RenderExampleFile();

/// The reference in Markdown: how values are given, then a table per section.
std::string RenderReference();

}  // namespace arka
