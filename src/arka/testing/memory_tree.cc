#include "arka/testing/memory_tree.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace arka {

std::string MemoryTree::ParentOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

bool MemoryTree::HasDirectory(const std::string& path) const {
  return path == "/" || path == "." || current_.directories.contains(path);
}

MemoryTree::Inode MemoryTree::Find(const std::string& path) const {
  const auto found = current_.files.find(path);
  return found == current_.files.end() ? nullptr : found->second;
}

std::vector<std::string> MemoryTree::NamesIn(const std::string& directory) const {
  std::vector<std::string> names;
  const auto add_if_inside = [&](const std::string& path) {
    if (ParentOf(path) == directory) {
      names.push_back(std::filesystem::path(path).filename().string());
    }
  };
  for (const auto& [path, inode] : current_.files) add_if_inside(path);
  for (const std::string& path : current_.directories) add_if_inside(path);
  std::sort(names.begin(), names.end());
  return names;
}

void MemoryTree::AddDirectory(const std::string& path) {
  Make({ParentOf(path), std::nullopt, path, nullptr});
}

void MemoryTree::AddFile(const std::string& path, Inode inode) {
  Make({ParentOf(path), std::nullopt, path, std::move(inode)});
}

void MemoryTree::RemoveFile(const std::string& path) {
  Make({ParentOf(path), path, std::nullopt, nullptr});
}

void MemoryTree::RenameFile(const std::string& from, const std::string& to) {
  if (from == to) return;
  const Inode inode = Find(from);
  if (ParentOf(from) == ParentOf(to)) {
    Make({ParentOf(from), from, to, inode});
    return;
  }
  Make({ParentOf(to), std::nullopt, to, inode});
  Make({ParentOf(from), from, std::nullopt, nullptr});
}

void MemoryTree::SyncDirectory(const std::string& directory) {
  std::erase_if(unsynced_, [&](const Change& change) {
    if (change.directory != directory) return false;
    Apply(change, durable_);
    return true;
  });
}

void MemoryTree::LosePower(PowerLoss mode, Random& random) {
  for (const Change& change : unsynced_) {
    if (mode != PowerLoss::kDropUnsynced && random.Next() % 2 == 0) Apply(change, durable_);
  }
  unsynced_.clear();
  // What lies in a directory that did not survive is unreachable. A directory sorts before what is
  // in it, so one pass suffices.
  const auto is_orphan = [this](const std::string& path) {
    const std::string parent = ParentOf(path);
    return parent != "/" && parent != "." && !durable_.directories.contains(parent);
  };
  for (auto it = durable_.directories.begin(); it != durable_.directories.end();) {
    it = is_orphan(*it) ? durable_.directories.erase(it) : std::next(it);
  }
  std::erase_if(durable_.files, [&](const auto& file) { return is_orphan(file.first); });

  std::set<const MemoryInode*> done;  // two names may lead to one file
  for (const auto& [path, inode] : durable_.files) {
    if (done.insert(inode.get()).second) inode->LosePower(mode, random);
  }
  current_ = durable_;
}

MemoryTree MemoryTree::Clone() const {
  MemoryTree copy = *this;
  std::map<const MemoryInode*, Inode> copies;
  const auto detach = [&copies](Inode& inode) {
    if (inode == nullptr) return;
    Inode& replacement = copies[inode.get()];
    if (replacement == nullptr) replacement = std::make_shared<MemoryInode>(*inode);
    inode = replacement;
  };
  for (auto& [path, inode] : copy.current_.files) detach(inode);
  for (auto& [path, inode] : copy.durable_.files) detach(inode);
  for (Change& change : copy.unsynced_) detach(change.inode);
  return copy;
}

void MemoryTree::Apply(const Change& change, Names& names) {
  if (change.removed) names.files.erase(*change.removed);
  if (!change.added) return;
  if (change.inode == nullptr) {
    names.directories.insert(*change.added);
  } else {
    names.files[*change.added] = change.inode;
  }
}

void MemoryTree::Make(Change change) {
  Apply(change, current_);
  unsynced_.push_back(std::move(change));
}

}  // namespace arka
