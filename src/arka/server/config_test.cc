#include "arka/server/config.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <vector>

#include <gmock/gmock.h>

#include "arka/server/key_table.h"
#include "arka/testing/matchers.h"
#include "arka/testing/temp_directory.h"

namespace arka {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ConfigTest : public testing::Test {
 protected:
  Result<Config> LoadFile(const std::string& yaml) {
    std::ofstream(path_) << yaml;
    return LoadConfig(path_, settings_, environment_);
  }
  Result<Config> Load() { return LoadConfig(std::nullopt, settings_, environment_); }
  Result<Config> LoadWith(std::vector<std::string> settings) {
    return LoadConfig(std::nullopt, settings, environment_);
  }
  std::string FileError(const std::string& yaml) {
    const std::string message = LoadFile(yaml).status().message();
    EXPECT_THAT(message, StartsWith(path_)) << yaml;
    return message.substr(std::min(path_.size(), message.size()));
  }
  std::string SetError(const std::string& setting) {
    const auto loaded = LoadWith({setting});
    EXPECT_THAT(loaded, FailsWith(ErrorCode::kInvalidRequest)) << setting;
    return loaded.status().message();
  }

  TempDirectory directory_;
  const std::string path_ = directory_.path() + "/arka.yaml";
  std::vector<std::string> settings_;
  Environment environment_;
};

TEST_F(ConfigTest, LoadsWithNothingGiven) {
  const Config config = Load().ValueOrDie();
  EXPECT_EQ(config.server.listen, (ListenAddress{"localhost", 8815}));
  EXPECT_EQ(config.write_buffer.max_buffer_bytes, 128 << 20);
  EXPECT_EQ(config.write_buffer.flush_interval, 0us);
  EXPECT_EQ(config.durability.s3_upload_interval, 100ms);
  EXPECT_EQ(config.durability.iceberg_commit_interval, 60s);
  EXPECT_EQ(config.object_store.uri, "file://./arka-data/objects");
  EXPECT_EQ(config.catalog.uri, "./arka-data/catalog.db");
  EXPECT_EQ(config.catalog.warehouse, "file://./arka-data/warehouse");
}

TEST_F(ConfigTest, LoadsTheGuidesExample) {
  const Config config = LoadFile(R"(# Server config (example)
write_buffer:
  max_buffer_size: 128MB       # Larger = fewer flushes
  flush_interval: 100ms        # Shorter = lower latency
  max_unflushed_bytes: 512MB   # Higher = more throughput

durability:
  s3_upload_interval: 5s       # Shorter = faster S3 durability
  iceberg_commit_interval: 60s
)")
                            .ValueOrDie();
  EXPECT_EQ(config.write_buffer.max_buffer_bytes, 128 << 20);
  EXPECT_EQ(config.write_buffer.flush_interval, 100ms);
  EXPECT_EQ(config.write_buffer.max_unflushed_bytes, 512 << 20);
  EXPECT_EQ(config.durability.s3_upload_interval, 5s);
  EXPECT_EQ(config.durability.iceberg_commit_interval, 60s);
}

TEST_F(ConfigTest, SetBeatsTheEnvironmentWhichBeatsTheFile) {
  const std::string yaml =
      "durability: {s3_upload_interval: 1s, iceberg_commit_interval: 1s}\nwal.spare_segments: 1\n";
  environment_ = {{"ARKA_DURABILITY__S3_UPLOAD_INTERVAL", "2s"}, {"ARKA_WAL__SPARE_SEGMENTS", "2"}};
  settings_ = {"wal.spare_segments=3"};
  const Config config = LoadFile(yaml).ValueOrDie();
  EXPECT_EQ(config.durability.iceberg_commit_interval, 1s);
  EXPECT_EQ(config.durability.s3_upload_interval, 2s);
  EXPECT_EQ(config.wal.spare_segments, 3);
}

TEST_F(ConfigTest, ALaterSetBeatsAnEarlierOne) {
  EXPECT_EQ(LoadWith({"catalog.name=a", "catalog.name=b=c"}).ValueOrDie().catalog.name, "b=c");
}

TEST_F(ConfigTest, AnUnknownKeyNamesItsLineAndTheNearestKey) {
  EXPECT_EQ(FileError("# one\n\nwrite_buffer:\n  flush_interval: 1ms\n  max_bufer_size: 1MB\n"),
            ":5: unknown key 'write_buffer.max_bufer_size'; did you mean "
            "'write_buffer.max_buffer_size'?");
  EXPECT_EQ(FileError("flush_interval: 1ms"),
            ":1: unknown key 'flush_interval'; did you mean 'write_buffer.flush_interval'?");
  EXPECT_EQ(FileError("sever: {listen: 'a:1'}"),
            ":1: unknown key 'sever.listen'; did you mean 'server.listen'?");
  EXPECT_EQ(FileError("colour: red"), ":1: unknown key 'colour'");
  EXPECT_EQ(SetError("server.tls_cert=x"),
            "--set: unknown key 'server.tls_cert'; did you mean 'server.tls.cert'?");
}

TEST_F(ConfigTest, ABadValueNamesItsLineItsKeyAndWhatIsExpected) {
  EXPECT_THAT(FileError("write_buffer:\n  max_buffer_size: 128XB\n"),
              StartsWith(":2: write_buffer.max_buffer_size: '128XB' has an unknown unit: expected "
                         "a size such as 128MB"));
  EXPECT_THAT(SetError("durability.s3_upload_interval=100"),
              StartsWith("--set: durability.s3_upload_interval: '100' has no unit"));
}

TEST_F(ConfigTest, ABrokenFileNamesTheLine) {
  EXPECT_THAT(FileError("server:\n  listen: [unclosed\n"), StartsWith(":3: "));
  EXPECT_THAT(FileError("server:\n  listen: [a, b]\n"), EndsWith(":2: 'server.listen' takes one "
                                                                 "value, no list"));
  EXPECT_EQ(FileError("server:\n  listen:\n"), ":2: 'server.listen' has no value");
  EXPECT_EQ(FileError("just text"), ":1: expected sections such as 'server:'");
  EXPECT_EQ(FileError("server:\n  listen: a:1\nserver.listen: b:2\n"),
            ":3: 'server.listen' is given twice, first in line 2");
  EXPECT_THAT(FileError("server: 5"), StartsWith(":1: unknown key 'server'"));
}

TEST_F(ConfigTest, AnAnchorInsideItselfOrAliasesWithoutEndAreRefused) {
  EXPECT_THAT(FileError("server: &s {tls: *s}\n"), EndsWith("is nested too deep"));
  std::string bomb = "a: &a {k0: 1, k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1}\n";
  for (char name = 'b'; name < 'h'; ++name) {
    bomb += std::string(1, name) + ": &" + name + " {";
    for (int i = 0; i < 8; ++i) {
      bomb +=
          "k" + std::to_string(i) + ": *" + static_cast<char>(name - 1) + (i < 7 ? ", " : "}\n");
    }
  }
  EXPECT_THAT(FileError(bomb), EndsWith(": more keys than there can be"));
}

TEST_F(ConfigTest, AnEmptyFileIsFine) {
  EXPECT_THAT(LoadFile(""), IsOk());
  EXPECT_THAT(LoadFile("# nothing\n"), IsOk());
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  const auto loaded = LoadConfig("/no/such.yaml", {}, {});
  EXPECT_THAT(loaded, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(loaded.status().message(), HasSubstr("/no/such.yaml"));
  EXPECT_FALSE(LoadConfig(directory_.path(), {}, {}).ok());
}

TEST_F(ConfigTest, AnEnvironmentVariableIsRefusedByNameWhenItIsUnknown) {
  environment_ = {{"ARKA_SERVER__LISTENN", "x"}};
  EXPECT_EQ(Load().status().message(),
            "environment: unknown key 'ARKA_SERVER__LISTENN'; did you mean 'ARKA_SERVER__LISTEN'?");
  environment_ = {{"ARKA_SERVER__LISTEN", "nonsense"}};
  EXPECT_THAT(Load().status().message(),
              StartsWith("ARKA_SERVER__LISTEN: server.listen: 'nonsense': expected host:port"));
}

TEST_F(ConfigTest, OtherEnvironmentVariablesAreNotLookedAt) {
  // What Kubernetes sets for services called arka and arka-server, and what is not ours.
  environment_ = {{"ARKA_PORT", "tcp://10.0.0.1:8815"},
                  {"ARKA_SERVER_SERVICE_HOST", "10.0.0.1"},
                  {"PATH", "/bin"},
                  {"OTHER__LISTEN", "x"}};
  EXPECT_THAT(Load(), IsOk());
}

TEST_F(ConfigTest, ASettingNeedsAnEqualsSign) {
  EXPECT_EQ(SetError("server.listen"), "--set server.listen: expected key=value");
}

TEST_F(ConfigTest, ARestCatalogNeedsAnAddressThatHoldsNoSecret) {
  const auto with = [&](const std::string& uri) {
    return LoadWith({"catalog.type=rest", "catalog.uri=" + uri, "catalog.token=secret"});
  };
  EXPECT_EQ(with("https://catalog:8181/iceberg")->catalog.uri, "https://catalog:8181/iceberg");
  for (const char* uri :
       {"", "/var/lib/catalog.db", "s3://bucket", "http://", "http://host:", "http://u:p@host",
        "http://host/?warehouse=x", "http://host/a b", "ftp://host"}) {
    EXPECT_THAT(with(uri).status().message(), HasSubstr("catalog.uri")) << uri;
  }
}

TEST_F(ConfigTest, ASqliteCatalogTakesNothingThatIsForARestCatalog) {
  for (const char* setting :
       {"catalog.uri=http://host", "catalog.token=x", "catalog.warehouse_name=x"}) {
    EXPECT_THAT(SetError(setting), HasSubstr("set catalog.type to rest"));
  }
}

TEST_F(ConfigTest, ACatalogHasNoNameThatQueriesCannotUse) {
  for (const std::string name : {"main", "Memory", "system", "TEMP"}) {
    EXPECT_THAT(SetError("catalog.name=" + name), HasSubstr("is '" + name + "', which queries"));
    EXPECT_THAT(LoadWith({"catalog.name=" + name, "query.workers=0"}), IsOk());
  }
  EXPECT_THAT(LoadWith({"catalog.name=my \"lake\""}), IsOk());
}

TEST_F(ConfigTest, ValuesOutOfRangeAreRefused) {
  for (const char* setting : {"server.listen=localhost",
                              "server.io_threads=-1",
                              "server.io_threads=1000",
                              "server.max_batch_bytes=0",
                              "server.max_batch_bytes=2GB",
                              "server.max_connections=0",
                              "server.max_streams_per_connection=0",
                              "server.handshake_timeout=0",
                              "server.keepalive_timeout=0",
                              "server.shutdown_grace=-1s",
                              "server.data_dir=",
                              "server.node_id=",
                              "server.node_id=a/b",
                              "server.node_id=..",
                              "write_buffer.max_buffer_size=0",
                              "write_buffer.flush_interval=2h",
                              "durability.s3_upload_interval=0",
                              "durability.s3_upload_interval=0.5ms",
                              "durability.iceberg_commit_interval=0",
                              "wal.segment_size=0",
                              "wal.spare_segments=65",
                              "catalog.type=hive",
                              "catalog.name=",
                              "catalog.warehouse=ftp://x",
                              "object_store.uri=/tmp/x",
                              "object_store.uri=s3://",
                              "object_store.uri=file:///",
                              "tables.auto_create=1",
                              "tables.default_namespace=a b",
                              "tables.default_table=../x",
                              "log.level=loud",
                              "log.format=xml"}) {
    SCOPED_TRACE(setting);
    const std::string key = std::string(setting).substr(0, std::string(setting).find('='));
    EXPECT_THAT(SetError(setting), HasSubstr(key));
  }
}

TEST_F(ConfigTest, WhereOtherMachinesReachItCredentialsAndTlsAreNeeded) {
  const std::vector<std::string> tls = {"server.tls.cert=/c", "server.tls.key=/k"};
  for (const char* host : {"0.0.0.0", "*", "[::]", "192.168.0.7", "arka.example"}) {
    const std::string listen = "server.listen=" + std::string(host) + ":8815";
    EXPECT_THAT(SetError(listen), HasSubstr("neither auth.credentials nor server.tls.cert"));
    EXPECT_THAT(LoadWith({listen, tls[0], tls[1]}).status().message(),
                HasSubstr("auth.credentials is not set"));
    EXPECT_THAT(LoadWith({listen, "auth.credentials=/a"}).status().message(),
                HasSubstr("server.tls.cert is not set"));
    EXPECT_THAT(LoadWith({listen, "auth.credentials=/a", tls[0], tls[1]}), IsOk());
    EXPECT_THAT(LoadWith({listen, "server.allow_insecure=true"}), IsOk());
  }
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "[::1]"}) {
    EXPECT_THAT(LoadWith({"server.listen=" + std::string(host) + ":8815"}), IsOk()) << host;
  }
  EXPECT_FALSE(LoadWith({"server.listen=127.evil.example:8815"}).ok()) << "a name";
}

TEST_F(ConfigTest, WhatIsOfNoUseWithoutCredentialsIsAMistake) {
  EXPECT_THAT(SetError("log.audit=/a"), HasSubstr("needs auth.credentials"));
  EXPECT_THAT(SetError("auth.jwt.issuer=i"), HasSubstr("needs auth.jwt.keys"));
  EXPECT_THAT(LoadWith({"auth.credentials=/a", "auth.jwt.keys=/k"}).status().message(),
              HasSubstr("needs auth.jwt.issuer"));
  EXPECT_THAT(
      LoadWith({"auth.credentials=/a", "auth.jwt.keys=/k", "auth.jwt.issuer=i"}).status().message(),
      HasSubstr("needs auth.jwt.audience"));
  EXPECT_THAT(LoadWith({"auth.credentials=/a", "server.tls.client_ca=/c"}).status().message(),
              HasSubstr("needs server.tls.cert"));
}

TEST_F(ConfigTest, ContradictionsNameBothSides) {
  EXPECT_EQ(SetError("server.tls.cert=/c.pem"), "server.tls.cert (--set) needs server.tls.key");
  EXPECT_EQ(SetError("server.tls.key=/k.pem"), "server.tls.key (--set) needs server.tls.cert");
  EXPECT_EQ(SetError("wal.segment_size=32MB"),
            "wal.segment_size (--set) is 32MB, less than server.max_batch_bytes (the default), "
            "64MB");
  EXPECT_EQ(SetError("server.message_memory=1MB"),
            "server.message_memory (--set) is 1MB, less than server.max_batch_bytes (the default), "
            "64MB");
  EXPECT_EQ(SetError("write_buffer.max_unflushed_bytes=64MB"),
            "write_buffer.max_unflushed_bytes (--set) is 64MB, less than "
            "write_buffer.max_buffer_size (the default), 128MB");
  EXPECT_EQ(SetError("object_store.access_key=k"),
            "object_store.access_key (--set) needs object_store.secret_key");
  EXPECT_EQ(SetError("wal.segment_size=104858601B"),
            "wal.segment_size (--set) is no multiple of 4KB");
  EXPECT_EQ(LoadFile("server:\n  tls.cert: x\n").status().message(),
            "server.tls.cert (" + path_ + ":2) needs server.tls.key");
}

TEST_F(ConfigTest, PathsThatAreNotGivenFollowTheDataDirectory) {
  const Config config =
      LoadWith({"server.data_dir=/srv/arka", "catalog.uri=sqlite:////var/c.db"}).ValueOrDie();
  EXPECT_EQ(config.object_store.uri, "file:///srv/arka/objects");
  EXPECT_EQ(config.catalog.warehouse, "file:///srv/arka/warehouse");
  EXPECT_EQ(config.query.file_cache_dir, "/srv/arka/query-files");
  EXPECT_EQ(config.catalog.uri, "/var/c.db");
}

TEST_F(ConfigTest, EveryKeyCanBeSetInEveryWayToItsOwnDefault) {
  const Config defaults;
  for (const ConfigKey& key : ConfigKeys()) {
    SCOPED_TRACE(key.name);
    const std::string value = key.get(defaults);
    Config changed;
    EXPECT_THAT(key.set(changed, value), IsOk());
    EXPECT_EQ(key.get(changed), value);
    EXPECT_THAT(LoadWith({key.name + "=" + value}), IsOk());
    EXPECT_THAT(LoadConfig(std::nullopt, {}, {{EnvironmentNameOf(key.name), value}}), IsOk());
  }
}

TEST_F(ConfigTest, EveryKeyHasANameOfItsOwnASectionAndAComment) {
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(variables.insert(EnvironmentNameOf(key.name)).second) << key.name;
    EXPECT_NE(ConfigSectionComment(ConfigSectionOf(key.name)), "") << key.name;
    EXPECT_THAT(key.comment, EndsWith(".")) << key.name;
  }
}

TEST_F(ConfigTest, SecretsAreNeverShown) {
  const Config config =
      LoadWith({"object_store.access_key=AKIA", "object_store.secret_key=hush"}).ValueOrDie();
  EXPECT_EQ(config.object_store.secret_key, "hush");
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_THAT(key.get(config),
                testing::Not(testing::AnyOf(HasSubstr("hush"), HasSubstr("AKIA"))));
  }
}

}  // namespace
}  // namespace arka
