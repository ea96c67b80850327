// NOT COMPILED HERE. Sunrise.OS, its compiler and its libraries come with a KUKA cabinet; none of them is part of this
// repository, and no line below has run on one. Read it as a list of the settings the cabinet side fixes, then let whoever is
// trained for your cell write and test the application for your version of Sunrise (2.x calls POSITION JOINT_POSITION).

package application;

import static com.kuka.roboticsAPI.motionModel.BasicMotions.positionHold;
import static com.kuka.roboticsAPI.motionModel.BasicMotions.ptp;

import com.kuka.connectivity.fastRobotInterface.ClientCommandMode;
import com.kuka.connectivity.fastRobotInterface.FRIConfiguration;
import com.kuka.connectivity.fastRobotInterface.FRIJointOverlay;
import com.kuka.connectivity.fastRobotInterface.FRISession;
import com.kuka.roboticsAPI.applicationModel.RoboticsAPIApplication;
import com.kuka.roboticsAPI.deviceModel.LBR;
import com.kuka.roboticsAPI.motionModel.controlModeModel.IMotionControlMode;
import com.kuka.roboticsAPI.motionModel.controlModeModel.JointImpedanceControlMode;
import com.kuka.roboticsAPI.motionModel.controlModeModel.PositionControlMode;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.inject.Inject;

public class H2S2RServerApplication extends RoboticsAPIApplication {
  // ---- What this side fixes. Each line has its counterpart in the configuration of the robot PC. ----
  private static final String ROBOT_PC = "192.170.10.1"; // on the KONI subnet; port 30200 unless set otherwise
  private static final int SEND_PERIOD_MS = 5;           // emulated: --send-period
  private static final int RECEIVE_MULTIPLIER = 1;       // emulated: --receive-multiplier
  private static final boolean TORQUE = false;           // emulated: --mode
  private static final double STIFFNESS = 200.0;         // [N*m/rad], torque mode only
  private static final double DAMPING_RATIO = 0.7;       // torque mode only
  private static final int QUALITY_TIMEOUT_S = 10;

  @Inject private LBR arm;

  @Override
  public void run() {
    // Where policies expect the arm: flange above the table, pointing down. Slow, in T1 at first.
    arm.move(ptp(0, 0, 0, Math.toRadians(-90), 0, Math.toRadians(90), 0).setJointVelocityRel(0.1));

    FRIConfiguration configuration = FRIConfiguration.createRemoteConfiguration(arm, ROBOT_PC);
    configuration.setSendPeriodMilliSec(SEND_PERIOD_MS);
    configuration.setReceiveMultiplier(RECEIVE_MULTIPLIER);
    FRISession session = new FRISession(configuration);
    try {
      session.await(QUALITY_TIMEOUT_S, TimeUnit.SECONDS); // until the connection is GOOD
    } catch (TimeoutException e) {
      getLogger().error("No GOOD connection to " + ROBOT_PC + ": cable, subnet, or the server there does not answer.");
      session.close();
      return;
    }

    ClientCommandMode clientMode = TORQUE ? ClientCommandMode.TORQUE : ClientCommandMode.POSITION;
    FRIJointOverlay overlay = new FRIJointOverlay(session, clientMode);
    // Holds until cancelled on the pendant; the client's motion is laid on top.
    arm.move(positionHold(controlMode(), -1, TimeUnit.SECONDS).addMotionOverlay(overlay));
    session.close();
  }

  private IMotionControlMode controlMode() {
    if (!TORQUE) {
      return new PositionControlMode();
    }
    JointImpedanceControlMode mode =
        new JointImpedanceControlMode(STIFFNESS, STIFFNESS, STIFFNESS, STIFFNESS, STIFFNESS, STIFFNESS, STIFFNESS);
    mode.setDampingForAllJoints(DAMPING_RATIO);
    return mode;
  }
}
