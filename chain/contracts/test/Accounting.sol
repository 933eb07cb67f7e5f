// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice For the compiler's SMT checker (scripts/smt), which follows neither packed structs nor products of two
/// unknowns: the lines of Settlement that move the books, on plain numbers.  Each function takes any state in which
/// the books hold, does one step with any arguments, and asserts that they still hold: induction over all lives.
/// That Settlement does the same steps is for the tests.
contract Books {
    struct State {
        uint256 total;
        uint256 before;
        uint256 claimed;
        bool isPending;
    }

    function birth() external pure {
        assert(_hold(State(0, 0, 0, false)));
    }

    /// @dev As in Settlement.commit.
    function commit(State memory state, uint256 total) external pure {
        require(_hold(state) && !state.isPending && total >= state.total && total <= type(uint128).max);
        uint256 owed = total - state.claimed; // what _fund asks for
        assert(owed <= type(uint128).max);
        assert(_hold(State(total, state.total, state.claimed, true)));
    }

    /// @dev The second of activation; with a delay of zero that of the commit.
    function activate(State memory state) external pure {
        require(_hold(state));
        assert(_hold(State(state.total, state.before, state.claimed, false)));
    }

    /// @dev As in Settlement.cancel.
    function cancel(State memory state) external pure {
        require(_hold(state) && state.isPending);
        uint256 growth = state.total - state.before; // goes back to the cap
        assert(growth <= type(uint128).max);
        assert(_hold(State(state.before, state.before, state.claimed, false)));
    }

    /// @dev As in claim and distribute; `_roomUnder` first.
    function pay(State memory state, uint256 amount) external pure {
        require(_hold(state));
        uint256 room = (state.isPending ? state.before : state.total) - state.claimed;
        require(amount <= room);
        uint256 claimed = state.claimed + amount;
        assert(claimed <= type(uint128).max); // so the cast loses nothing
        assert(_hold(State(state.total, state.before, claimed, state.isPending)));
    }

    /// @dev No more is paid than the active total; a pending batch owes no less; all fits its 128 bits.
    function _hold(State memory state) private pure returns (bool) {
        if (state.isPending && state.before > state.total) return false;
        return state.claimed <= (state.isPending ? state.before : state.total) && state.total <= type(uint128).max;
    }
}

/// @notice GrowthCap's bucket beside another that never saw the pending batch: after a cancel they are one.
contract Bucket {
    struct State {
        uint256 used;
        uint256 without; // the pending batch
        uint256 growth; // of the pending batch, 0 where none is
    }

    /// @dev Any cap at any time, lower than what is used too.
    function commit(State memory state, uint256 cap, uint256 growth) external pure {
        require(_hold(state) && cap <= type(uint128).max && growth <= _less(cap, state.used));
        uint256 used = state.used + growth;
        assert(used <= cap || growth == 0); // the bucket holds one cap
        assert(_hold(State(used, state.used, growth)));
    }

    function leak(State memory state, uint256 leaked) external pure {
        require(_hold(state));
        assert(_hold(State(_less(state.used, leaked), _less(state.without, leaked), state.growth)));
    }

    function activate(State memory state) external pure {
        require(_hold(state));
        assert(_hold(State(state.used, state.used, 0)));
    }

    function cancel(State memory state) external pure {
        require(_hold(state));
        assert(_less(state.used, state.growth) == state.without); // as if it had never been
    }

    /// @dev The growth is in the bucket whole, or it has leaked in part after all that was below it.
    function _hold(State memory state) private pure returns (bool) {
        if (state.used > type(uint128).max || state.without > state.used) return false;
        return state.used - state.without == state.growth || (state.without == 0 && state.used <= state.growth);
    }

    function _less(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : 0;
    }
}
