// Messages by Boost.Interprocess's message_queue from this process to another, each on a processor of its own: as
// often as it is told. See benches/src/foreign.rs for what it is told by.
//
//   boost_queue COUNT SIZE      messages of SIZE bytes, COUNT of them at a time
#include <boost/interprocess/ipc/message_queue.hpp>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using boost::interprocess::message_queue;

// The nth of the processors that this process may use, counted round.
void tie_to_processor(const cpu_set_t& allowed, int nth) {
    nth %= CPU_COUNT(&allowed);
    for (int number = 0; number < CPU_SETSIZE; ++number) {
        if (CPU_ISSET(number, &allowed) && nth-- == 0) {
            cpu_set_t tied;
            CPU_ZERO(&tied);
            CPU_SET(number, &tied);
            sched_setaffinity(0, sizeof tied, &tied);
            return;
        }
    }
}

// Receives as many as each order says; ends with the orders.
void receive(message_queue& queue, std::size_t size, int orders, int done) {
    std::vector<char> buffer(size);
    unsigned long count;
    while (write(done, "x", 1) == 1 && read(orders, &count, sizeof count) == sizeof count) {
        for (; count > 0; --count) {
            message_queue::size_type received;
            unsigned int priority;
            queue.receive(buffer.data(), size, received, priority);
        }
    }
}

void send(message_queue& queue, std::size_t size, int orders, int done) {
    const std::vector<char> message(size, 7);
    char line[64];
    char byte;
    if (read(done, &byte, 1) != 1) return;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != nullptr) {
        const unsigned long count = strtoul(line, nullptr, 10);
        if (count == 0) return;
        if (write(orders, &count, sizeof count) != sizeof count) return;
        for (unsigned long number = 0; number < count; ++number) {
            queue.send(message.data(), size, 0);
        }
        if (read(done, &byte, 1) != 1) return;
        puts("done");
        fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::size_t count = strtoul(argv[1], nullptr, 10);
    const std::size_t size = strtoul(argv[2], nullptr, 10);
    const std::string name = "purlin-bench-boost-" + std::to_string(getpid());
    message_queue queue(boost::interprocess::create_only, name.c_str(), count, size);
    message_queue::remove(name.c_str());  // the mapping stays, also in the child
    cpu_set_t allowed;
    int orders[2];
    int done[2];
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || pipe(orders) != 0 || pipe(done) != 0) return 1;
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(orders[1]);
        tie_to_processor(allowed, 1);
        receive(queue, size, orders[0], done[1]);
        _exit(0);
    }
    close(orders[0]);
    close(done[1]);
    tie_to_processor(allowed, 0);
    send(queue, size, orders[1], done[0]);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}
