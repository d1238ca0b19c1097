// A self-signed certificate for tests.
#pragma once

#include <string>

namespace arka::transport {

/// Writes cert.pem and key.pem for "localhost" into `directory`.
void WriteTestCertificate(const std::string& directory);

}  // namespace arka::transport
