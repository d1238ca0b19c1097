// The names of MemoryFs: which path leads to which file or directory, as programs see it and as the
// device holds it, with the directory changes that no SyncDir has covered yet.
//
// Not thread-safe: MemoryFs guards it. Paths are normalised by the caller.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arka/io/random.h"
#include "arka/testing/memory_inode.h"

namespace arka {

class MemoryTree {
 public:
  using Inode = std::shared_ptr<MemoryInode>;

  /// "/" for "/a", "." for "a".
  static std::string ParentOf(const std::string& path);

  bool HasDirectory(const std::string& path) const;
  /// The file at `path`, or null.
  Inode Find(const std::string& path) const;
  std::vector<std::string> NamesIn(const std::string& directory) const;
  const std::map<std::string, Inode>& files() const { return current_.files; }

  void AddDirectory(const std::string& path);
  void AddFile(const std::string& path, Inode inode);
  void RemoveFile(const std::string& path);
  /// One change where both are in one directory, else one in each.
  void RenameFile(const std::string& from, const std::string& to);

  void SyncDirectory(const std::string& directory);
  /// A random subset of the unsynced changes survives, none with kDropUnsynced. The files that are
  /// left lose power themselves.
  void LosePower(PowerLoss mode, Random& random);

  /// A copy that shares nothing with this one.
  MemoryTree Clone() const;

 private:
  struct Names {
    std::map<std::string, Inode> files;
    std::set<std::string> directories;
  };
  struct Change {
    std::string directory;
    std::optional<std::string> removed;
    std::optional<std::string> added;
    Inode inode;  // of `added`; null for a directory
  };

  static void Apply(const Change& change, Names& names);
  void Make(Change change);

  Names current_;
  Names durable_;
  std::vector<Change> unsynced_;
};

}  // namespace arka
