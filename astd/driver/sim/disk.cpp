#include <astd/driver/sim/disk.hpp>
#include <astd/driver/sim/machine.hpp>

#include <cerrno>

namespace astd::driver::sim {
namespace {

class standard_file final : public open_file {
 public:
  std::int32_t start(operation& op) noexcept override {
    switch (op.code) {
      case opcode::read: return 0;
      case opcode::write: return static_cast<std::int32_t>(op.args.transfer.size);
      case opcode::poll: return op.args.value;
      default: return -EINVAL;
    }
  }
  void cancel(operation&) noexcept override {}
  std::int32_t next_connection(operation&) noexcept override { return -EINVAL; }
  void crash() noexcept override {}
};

}  // namespace

disk::disk(machine& of) : machine_(of) {}
disk::~disk() = default;
std::unique_ptr<open_file> disk::standard_stream(int) { return std::make_unique<standard_file>(); }
std::int32_t disk::start(operation&) noexcept {
  static_cast<void>(machine_);
  return -ENOENT;
}
void disk::cancel(operation&) noexcept {}
void disk::crash() noexcept {}

}  // namespace astd::driver::sim
